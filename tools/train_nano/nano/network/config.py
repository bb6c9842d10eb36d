"""The configuration in transformers' classes: every part of a Gemma 3n, scaled."""
import json

import transformers
from timm.models._efficientnet_builder import decode_arch_def

from .. import sizes as s

# ER, UIR and MQA blocks of MobileNet-V5 at 24 .. 128 channels; 128 pixels end as 8 x 8 after the fusion of the last two stages
_STAGES = [["er_r1_k3_s2_e4_c24", "er_r1_k3_s1_e3_c24"],
           ["uir_r1_a3_k5_s2_e4_c48", "uir_r1_a5_k0_s1_e3_c48", "uir_r1_a3_k0_s1_e3_c48"],
           ["uir_r1_a5_k5_s2_e4_c96", "uir_r1_a5_k0_s1_e3_c96"] + 2 * ["mqa_r1_k3_h4_v2_s1_d32_c96", "uir_r1_a0_k0_s1_e2_c96"],
           ["uir_r1_a5_k5_s2_e4_c128"] + 2 * ["mqa_r1_k3_h4_s1_d32_c128", "uir_r1_a0_k0_s1_e2_c128"]]
_BLOCKS = json.dumps(decode_arch_def(_STAGES))


def vision_arguments() -> dict:
    """Fresh each time: timm puts functions into the block list it is given, which JSON cannot hold."""
    return {"block_args": json.loads(_BLOCKS), "stem_size": 16, "fix_stem": True, "num_features": s.VISION_WIDTH, "msfa_output_resolution": 8, "layer_scale_init_value": 0.5,
            "pad_type": "same", "global_pool": ""}


def text() -> transformers.Gemma3nTextConfig:
    theta = {"full_attention": {"rope_type": "default", "rope_theta": 1e6}, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}
    return transformers.Gemma3nTextConfig(
        vocab_size=s.VOCAB, vocab_size_per_layer_input=s.TEXT_VOCAB, hidden_size=s.HIDDEN, intermediate_size=[s.FF] * s.N_LAYERS, num_hidden_layers=s.N_LAYERS, num_attention_heads=s.N_HEADS,
        num_key_value_heads=s.N_KV_HEADS, head_dim=s.HEAD_DIM, hidden_size_per_layer_input=s.PER_LAYER, laurel_rank=s.LAUREL, sliding_window=s.WINDOW, num_kv_shared_layers=s.N_LAYERS - s.SKIPPED[0],
        activation_sparsity_pattern=[0.95] * s.SPARSE + [0.0] * (s.N_LAYERS - s.SPARSE), pad_token_id=s.PAD, bos_token_id=s.BOS, eos_token_id=s.EOS, max_position_embeddings=s.CONTEXT, rope_parameters=theta)


def vision() -> transformers.Gemma3nVisionConfig:
    # the full class: timm's encoder class has 2048 channels at its end whatever is asked
    return transformers.Gemma3nVisionConfig(architecture="mobilenetv5_300m", hidden_size=s.VISION_WIDTH, vocab_size=s.HARD_IDS, vocab_offset=s.VISION_OFFSET, model_args=vision_arguments())


def audio(reduction: int = 4) -> transformers.Gemma3nAudioConfig:
    return transformers.Gemma3nAudioConfig(hidden_size=s.AUDIO_WIDTH, conf_num_hidden_layers=s.AUDIO_LAYERS, conf_num_attention_heads=s.AUDIO_HEADS, sscp_conv_channel_size=(32, 16),
                                           conf_reduction_factor=reduction, vocab_size=s.HARD_IDS, vocab_offset=s.AUDIO_OFFSET)


def whole() -> transformers.Gemma3nConfig:
    return transformers.Gemma3nConfig(
        text_config=text(), vision_config=vision(), audio_config=audio(), vision_soft_tokens_per_image=s.PICTURE_TOKENS, audio_soft_tokens_per_image=s.CLIP_TOKENS, boi_token_id=s.BEGIN_IMAGE,
        eoi_token_id=s.END_IMAGE, image_token_id=s.IMAGE, boa_token_id=s.BEGIN_AUDIO, eoa_token_id=s.END_AUDIO, audio_token_id=s.AUDIO, eos_token_id=[s.EOS, s.END_OF_TURN],
        pad_token_id=s.PAD, bos_token_id=s.BOS)
