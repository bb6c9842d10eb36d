"""The network's numbers. Rows are multiples of 256 where they can be, so that every quantised type fits; each number's reason is in README.md."""
N_LAYERS, SKIPPED = 15, range(5, 10)  # layers 5..14 share the keys and values of 3 and 4; 5..9 may be left out, as 20..24 of 35
HIDDEN, FF, FF_HALF, PER_LAYER = 256, 512, 256, 32
N_HEADS, N_KV_HEADS, HEAD_DIM, LAUREL = 4, 1, 64, 32
WINDOW, CONTEXT = 128, 4096  # a window of twice a picture's tokens
SPARSE = 3                   # layers 0..2: 5 % of the gates
TEXT_VOCAB, HARD_IDS = 2048, 128
VISION_OFFSET, AUDIO_OFFSET, VOCAB = TEXT_VOCAB, TEXT_VOCAB + HARD_IDS, TEXT_VOCAB + 2 * HARD_IDS

PAD, EOS, BOS, UNK, MASK, START_OF_TURN, END_OF_TURN = range(7)
NEWLINES = 7  # ids 7..10: runs of one to four
BYTES = 11    # 256 of them
BEGIN_IMAGE, BEGIN_AUDIO = TEXT_VOCAB - 2, TEXT_VOCAB - 1
END_IMAGE, IMAGE = VISION_OFFSET, VISION_OFFSET + 1
END_AUDIO, AUDIO = AUDIO_OFFSET, AUDIO_OFFSET + 1
MARKS = {BEGIN_IMAGE: "<start_of_image>", BEGIN_AUDIO: "<start_of_audio>", END_IMAGE: "<end_of_image>", IMAGE: "<image_soft_token>", END_AUDIO: "<end_of_audio>", AUDIO: "<audio_soft_token>"}

PICTURE_SIDE, PICTURE_TOKENS, VISION_WIDTH = 128, 64, 192
CLIP_TOKENS, AUDIO_WIDTH, AUDIO_LAYERS, AUDIO_HEADS = 32, 96, 4, 4  # 32 tokens: 5.1 s


def slices() -> list[dict]:
    """As config.json lists them: layers kept, and the width of each kept one."""
    all_layers = list(range(N_LAYERS))
    kept = [i for i in all_layers if i not in SKIPPED]
    return [
        {"name": "small", "layers": kept, "widths": [FF_HALF] * len(kept)},
        {"name": "half", "layers": all_layers, "widths": [FF_HALF] * N_LAYERS},
        {"name": "mixed", "layers": all_layers, "widths": [FF_HALF if i in SKIPPED else FF for i in all_layers]},
        {"name": "full", "layers": all_layers, "widths": [FF] * N_LAYERS},
    ]
