"""Texts, ids and conversations that are hard on a tokenizer, from a seeded generator. Used by the live comparison and by the goldens."""
import random

SCRIPTS = [(0x20, 0x7E), (0xA1, 0x17F), (0x180, 0x24F), (0x250, 0x2AF), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x586), (0x5D0, 0x5EA), (0x600, 0x6FF), (0x700, 0x74F),
           (0x900, 0x97F), (0x980, 0x9FF), (0xA00, 0xA7F), (0xA80, 0xAFF), (0xB80, 0xBFF), (0xC00, 0xC7F), (0xC80, 0xCFF), (0xD00, 0xD7F), (0xD80, 0xDFF), (0xE00, 0xE7F),
           (0xE80, 0xEFF), (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1200, 0x137F), (0x13A0, 0x13FF), (0x1400, 0x167F), (0x1780, 0x17FF), (0x1800, 0x18AF),
           (0x1E00, 0x1EFF), (0x1F00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x20CF), (0x2100, 0x23FF), (0x2460, 0x27BF), (0x2800, 0x28FF), (0x2C80, 0x2CFF), (0x2D30, 0x2D7F),
           (0x3000, 0x30FF), (0x3100, 0x312F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xAC00, 0xD7A3), (0xFB00, 0xFDFF), (0xFE00, 0xFFFD),
           (0x10330, 0x1034A), (0x12000, 0x123FF), (0x13000, 0x1342F), (0x1D400, 0x1D7FF), (0x1F000, 0x1FAFF), (0x20000, 0x2A6DF)]
SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<image_soft_token>"]
ORDINARY = ["<mask>", "[multimodal]", "<unused0>", "<unused98>", "<unused99>", "<unused624>", "<unused6241>"]
ALMOST = ["<unused6242>", "<unused>", "<unused1", "<start_of_turn", "start_of_turn>", "<Start_of_turn>", "< bos>", "<bos", "<<bos>>", "<mask", "[multimodal", "<0x0A>", "<0xE2>", "<0xZZ>",
          "<start_of_<end_of_turn>turn>", "<start_of_audio>", "<end_of_audio>", "<audio_soft_token>", "</start_of_turn>", "<s>", "</s>", "[INST]", "<|endoftext|>", "[PAD7]", ">\u2581</", "> </"]
HTML = [f"<{s}{t}>" for s in ("", "/") for t in ("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "h1", "h2", "h6", "h7", "blockquote", "strong", "em", "b", "i", "u", "s", "sub", "sup", "code",
        "a", "html", "body", "img", "span", "bbox", "ul", "li", "div", "iframe", "footer", "p", "br", "TD", "tab le")] + ["<a href=\"x\">", "<td", "td>", "<", ">", "</", "<br/>"]
EMOJI = ["\U0001F600", "\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466", "\U0001F3F3\uFE0F\u200D\U0001F308", "\U0001F1E9\U0001F1EA", "\U0001F1EF\U0001F1F5", "\U0001F1E6", "\U0001F44D\U0001F3FD",
         "\u2764\uFE0F", "\u26A0", "1\uFE0F\u20E3", "\U0001F9D1\U0001F3FF\u200D\U0001F680", "\U0001F3F4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F", "\U0001FAE8", "\u200D", "\uFE0F"]
SPACES = [" ", "\n", "\t", "\r\n", "\r", "\u2581", "\u00A0", "\u3000", "\u2003", "\u200B", "\u2028", "\x0b", "\x0c", "\x85", "\x1c", "\uFEFF"]
CODE = ["def ", "return", "for (int i = 0; i < n; i++) {", "}", "    ", "\t", "\n", "\n\n", "->", "::", "std::vector<int>", "x", "_y", "self.", "==", "!=", "&&", "||", "#include <stdio.h>", "// ", "/* ", " */", "'", '"', "\\n",
        "0x1F", "3.14e-5", "[]", "({", "});", "=>", "$", "@", "%d", "lambda x: ", "import numpy as np", "SELECT * FROM t WHERE a = 1;", "<?php", "#!/bin/sh", "${A}", "{{ x }}", "</div>", "camelCase", "SCREAMING_SNAKE", "====", "----", "\r\n"]
COMBINING = [chr(c) for c in (*range(0x300, 0x340), 0x483, 0x5B0, 0x64B, 0x93C, 0x94D, 0xE31, 0x20D0, 0x20E3, 0xFE20, 0x1AB0, 0x302A, 0x3099)]


class Texts:
    def __init__(self, seed: str, pieces: list[str]):
        self.r = random.Random(seed)
        self.pieces = [p.replace("\u2581", " ") for p in pieces]
        self.words = [p for p in self.pieces if p[:1] == " " and p[1:].isascii() and p[1:].isalpha()]

    def of(self, make, low, high):
        return "".join(make() for _ in range(self.r.randint(low, high)))

    def char(self):
        r = self.r
        while True:
            c = r.choice([r.randrange(0x110000), r.randrange(0x10000), r.randrange(0x3000), r.randrange(0xE000, 0xF900), r.randrange(0x10000, 0x20000), r.randrange(128)])
            if not 0xD800 <= c < 0xE000:
                return chr(c)

    def script(self):
        r = self.r
        low, high = r.choice(SCRIPTS)
        return " ".join(self.of(lambda: chr(r.randint(low, high)), 1, 12) for _ in range(r.randint(1, 10)))

    def english(self):
        return self.of(lambda: self.r.choice(self.words) + self.r.choice(["", "", "", ",", ".", "'s", "!", " 7", "\n"]), 1, 40)

    def spaces(self):
        r = self.r
        return self.of(lambda: r.choice(SPACES[:r.randint(1, len(SPACES))]) * r.choice([1, 1, 2, 3, r.randint(1, 100)]) + r.choice(["", "", "a", "the", "x y", "</"]), 1, 6)

    def marks(self):
        r = self.r
        return self.of(lambda: r.choice([*SPECIAL, *SPECIAL, *ORDINARY, *ALMOST, " ", "\n", "user\n", "a", "", r.choice(SPECIAL)[:r.randint(1, 14)]]), 1, 8)

    def html(self):
        r = self.r
        return self.of(lambda: r.choice(HTML) + r.choice(["", "", " ", "\n", "text", "<"]), 1, 12)

    def accents(self):
        return self.of(lambda: self.char() + self.of(lambda: self.r.choice(COMBINING), 0, 4), 1, 12)

    def one(self):
        r = self.r
        kinds = [self.script, self.script, self.english, self.spaces, self.marks, self.html, self.accents,
                 lambda: self.of(lambda: r.choice(CODE), 1, 25), lambda: self.of(lambda: r.choice(EMOJI) + r.choice(["", "", " ", "x"]), 1, 8),
                 lambda: self.of(lambda: r.choice(self.pieces), 1, 12), lambda: self.of(lambda: r.choice(self.pieces), 1, 3), lambda: self.of(self.char, 1, 20),
                 lambda: r.choice(self.pieces) * r.randint(2, 40)]
        return "".join(r.choice(kinds)() for _ in range(r.choice([1, 1, 1, 2, 3])))

    def runs(self, longest=100):
        """Every length of every kind of run, alone and between letters."""
        for space in (" ", "\n", "\t", "\u2581", "\r", "\r\n", " \n", "\t "):
            for n in range(1, longest + 1):
                yield from (space * n, f"a{space * n}the b", f"\u2581{space * n} x")

    def long(self):
        r = self.r
        for unit in (" ", "\n", "\t", "a", "\u2581", " a", "\r\n", "ab", "\u00E9", "\U0001F600", "\U000F0000", "<", "<bos>", "</td>", "0", " 0", "-", "\u65E5", "\u0E01\u0E33"):
            yield unit * (100_000 // len(unit))
        for _ in range(10):
            yield self.of(self.one, 1000, 2000)

    def ids(self, size: int):
        """Random ids; byte pieces (238 + byte) in runs that are often characters, sometimes cut."""
        r = self.r
        out = []
        for _ in range(r.randint(1, 12)):
            kind = r.randrange(5)
            if kind < 2:
                out += [r.randrange(size) for _ in range(r.randint(1, 4))]
            elif kind == 2:
                out += [238 + b for b in self.of(self.char, 1, 4).encode()]
            elif kind == 3:
                b = self.of(self.char, 1, 3).encode()
                out += [238 + x for x in b[r.randrange(len(b)):][:r.randint(1, 6)]]
            else:
                out += [r.choice([0, 1, 2, 3, 4, 5, 105, 106, 107, 138, 167, 168, 237, 238, 493, 255968, 255999, 256000, size - 1])]
        return out

    def content(self):
        r = self.r
        space = lambda: self.of(lambda: r.choice(SPACES), 0, 3)  # noqa: E731
        return r.choice(["", "", space(), space() + self.english() + space(), space() + self.one() + space(), self.one()])

    def conversation(self):
        """[(role, content)], now and then with roles that do not alternate."""
        r = self.r
        turns = [("system", self.content())] if r.random() < 0.4 else []
        for i in range(r.randint(0 if turns else 1, 5)):
            turns.append(("user" if i % 2 == 0 else r.choice(["model", "assistant"]), self.content()))
        if r.random() < 0.15:
            at = r.randrange(len(turns))
            turns[at] = (r.choice(["user", "model", "assistant", "system", "tool", "User", ""]), turns[at][1])
        return turns
