"""Conversations to ids: Gemma's turns, and where the answers are that are learned.

    <bos><start_of_turn>user\\n  [\\n\\n<start_of_image> 64 x <image_soft_token> <end_of_image>\\n\\n] ... text <end_of_turn>\\n<start_of_turn>model\\n answer <end_of_turn>\\n ...
Newlines that meet are one id. As the engine and the processor write it.
"""
import pathlib

import tokenizers

from . import sizes
from .data.example import Example

_PICTURE = [sizes.BEGIN_IMAGE] + [sizes.IMAGE] * sizes.PICTURE_TOKENS + [sizes.END_IMAGE]
_CLIP = [sizes.BEGIN_AUDIO] + [sizes.AUDIO] * sizes.CLIP_TOKENS + [sizes.END_AUDIO]
IGNORED = -100


class Turns:
    def __init__(self, tokenizer_json: pathlib.Path):
        self.tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_json))
        self._known: dict[str, list[int]] = {}

    def text(self, s: str) -> list[int]:
        ids = self._known.get(s)
        if ids is None:
            ids = self.tokenizer.encode(s, add_special_tokens=False).ids
            if len(self._known) < 200_000:
                self._known[s] = ids
        return ids

    def prompt(self, asked: str, n_pictures: int = 0, n_clips: int = 0) -> list[int]:
        """A user's turn, and the model's is open; without <bos>."""
        ids, text = [sizes.START_OF_TURN], "user\n"
        for media in [_PICTURE] * n_pictures + [_CLIP] * n_clips:
            ids += self.text(text + "\n\n") + media
            text = "\n\n"
        return ids + self.text(text + asked) + [sizes.END_OF_TURN] + self.text("\n") + [sizes.START_OF_TURN] + self.text("model\n")

    def conversation(self, e: Example) -> tuple[list[int], list[int]]:
        """Ids, and the id to be foretold at each place: IGNORED but for answers and their <end_of_turn>."""
        ids, wanted = [sizes.BOS], [IGNORED]
        for i, (asked, answer) in enumerate(e.turns):
            prompt = self.prompt(asked, *((len(e.pictures), len(e.clips)) if i == 0 else ()))
            said = self.text(answer) + [sizes.END_OF_TURN]
            ids += prompt + said + self.text("\n")
            wanted += [IGNORED] * len(prompt) + said + [IGNORED]
        return ids[:-1], wanted[1:]

    def spelled(self, ids: list[int]) -> str:
        return self.tokenizer.decode([i for i in ids if i != sizes.END_OF_TURN], skip_special_tokens=True)
