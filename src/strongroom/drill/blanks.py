"""Reasons and cases that say nothing, as people write them who would rather not say (part of ``blank_reason``).

The tests hold that all that ``vectors/reason.json`` refuses stands here too.
"""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, tuple[str, ...]] = {
    "blank reasons": ("", " ", "          ", "\t\t\t\t", "\n", "\u00a0\u2003\u3000", "...............", "?????", "-", "\u2014" * 12, "_" * 30),
    "reasons of characters that nobody sees": (
        "\u200b" * 40, "\u2060\ufeff" * 20, "\u00ad" * 30, "\u202e" * 20, "\ufe0f" * 20, "\u2800" * 20, "\u180e" * 20, "\U000e0061" * 20,
        "\u3164\u115f\uffa0" * 4, "\u3164" * 20, "\u200b\u2060\u00ad\u2800\u180e \ufe0f",
    ),
    "filler for a reason": (
        "test", "test test test test", "TeSt TESTING TeStEd", "testing lorem ipsum dolor sit amet", "none null nothing whatever because reason",
        "foo bar baz qux", "placeholder dummy", "N/A n/a N/A n/a", "reason: reason", "测试测试测试测试", "测试一下", "無理由 无理由 随便 隨便",
    ),
    "filler in disguise for a reason": (
        "ｔｅｓｔ ｔｅｓｔｉｎｇ", "𝐭𝐞𝐬𝐭 𝑡𝑒𝑠𝑡𝑖𝑛𝑔 𝓵𝓸𝓻𝓮𝓶", "𝐭𝐞𝐬𝐭 𝑡𝑒𝑠𝑡𝑖𝑛𝑔 ⓛⓞⓡⓔⓜ ｉｐｓｕｍ", "ⓣⓔⓢⓣⓘⓝⓖ ⓓⓤⓜⓜⓨ", "t.e.s.t.i.n.g", "t e s t t e s t i n g",
        "te\u0301st te\u0300sting", "t\u200be\u200bs\u200bt te\u00adst", "ﬁller ﬁller", "t\u0435st t\u0435sting t\u0435sted",
        "n\u03bfthing wh\u03b1tever", "\u0440laceholder n\u043ene nothing", "测\u200b试测 试测试",
    ),
    "keyboard rows for a reason": (
        "asdfasdfasdf", "qwertyqwertyqwerty", "asdfghjkl qwertyuiop zxcvbnm", "poiuytrewq lkjhgfdsa", "abcdefghijklmnopqrstuvwxyz",
        "asdf1234 qwer5678 zxcv", "йцукенгшщз фывапролд", "ASDF jkl; zxcv", "ASDFGHJKL", "ａｓｄｆｇｈｊｋｌ",
    ),
    "the same again and again for a reason": (
        "aaaaaaaaaaaaaaaa", "xxxxxxyyyyyyzzzzzz", "see see see see see", "see1 see2 see3 see4 see5", "ab cd ab cd ab cd ab cd", "xkqvbmxkqvbm",
        "abababacacacab", "ok ok ok ok", "work work work", "查询查询查询查询", "核核核核核核", "ааааааааааааа",
    ),
    "reasons that are too short or too long": ("need info", "补证件", "a look", "because " + "I say so " * 60, "Renewal of an identity card " * 18),
    "digits and signs for a reason": ("20270114 114 88 12 00", "1111 2222 3333 4444", "!!!! ???? ....", "٠١٢٣٠١٢٣٠١٢٣", "\U0001f600" * 20),
    "reasons that break the line": ("Renewal of an identity card\nat desk 4", "Renewal of an identity\x00card", "Renewal of an identity card \ue000\ue001", "Renewal of an identity card\u0085"),
}  # fmt: skip

CASES = (
    "", " ", " 12", "12 ", "1  2", "-", "...", "-/-", "?", "x" * 65, "a\tb", "a\u200bb", "a\xa0b", "\u200b", "\u3164", "\u3164\u3164", "\u2800",
    "\u00ad", "\ufeff1", "x\u202e", "1\u2028", "\U000e0061", "e\u0301", "\ue000 1", "\n",
)  # fmt: skip
