"""The text of a PDF as Chromium writes one (Skia, PDF 1.4): enough to see that nothing was lost.

Objects stand plain in the file, streams are deflated, text is shown as glyph numbers of two bytes
(`Identity-H`), and each font says what its glyphs mean (`ToUnicode`). ISO 32000-1, 9.4 and 9.10.
"""

import re
import unicodedata
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_SHOWN = re.compile(
    rb"/(F\d+) [\d.]+ Tf|\[((?:<[0-9A-Fa-f]*>|[-\d.]+|\s)*)\] ?TJ|<([0-9A-Fa-f]*)> Tj"
)
_HEX = re.compile(rb"<([0-9A-Fa-f]*)>")
_RANGES = re.compile(rb"beginbf(char|range)(.*?)endbf", re.DOTALL)
# One glyph serves a radical and the character; Unicode decomposes only the Kangxi ones.
_RADICALS = str.maketrans(
    "⺟⺠⻁⻄⻅⻆⻉⻋⻓⻔⻘⻚⻛⻜⻝⻢⻣⻤⻥⻦⻨⻩⻬⻮⻰",
    "母民虎西见角贝车长门青页风飞食马骨鬼鱼鸟麦黄齐齿龙",
)


def pages_of(pdf):
    """The text of each page, packed."""
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(pdf)}
    [tree] = [one for one in objects.values() if b"/Type /Pages" in one and b"/Parent" not in one]
    return [_page(objects, objects[number]) for number in _leaves(objects, tree)]


def packed(text):
    """Without white space, since lines break where the paper ends; ligatures as letters."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).translate(_RADICALS))


def _leaves(objects, node):
    for number in map(int, re.findall(rb"(\d+) 0 R", re.search(rb"/Kids \[(.*?)\]", node)[1])):
        if b"/Kids" in objects[number]:
            yield from _leaves(objects, objects[number])
        else:
            yield number


def _page(objects, page):
    fonts = re.search(rb"/Font <<(.*?)>>", page, re.DOTALL)[1]
    meanings = {
        name: _meaning(objects, objects[int(number)])
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", fonts)
    }
    content = _stream(objects[int(re.search(rb"/Contents (\d+) 0 R", page)[1])])
    text, font = [], {}
    for name, many, one in _SHOWN.findall(content):
        if name:
            font = meanings[name]
        for shown in _HEX.findall(many) if many else [one]:
            glyphs = [int(shown[at : at + 4], 16) for at in range(0, len(shown), 4)]
            text += [font.get(glyph, "\N{REPLACEMENT CHARACTER}") for glyph in glyphs]
    return packed("".join(text))


def _meaning(objects, font):
    """Glyph → text."""
    table = _stream(objects[int(re.search(rb"/ToUnicode (\d+) 0 R", font)[1])])
    found = {}
    for kind, rows in _RANGES.findall(table):
        numbers = [bytes.fromhex(one.decode()) for one in _HEX.findall(rows)]
        step = 2 if kind == b"char" else 3
        for at in range(0, len(numbers), step):
            first, *last, text = numbers[at : at + step]
            low = int.from_bytes(first)
            high = int.from_bytes(last[0]) if last else low
            for glyph in range(low, high + 1):
                letter = text[:-2] + (int.from_bytes(text[-2:]) + glyph - low).to_bytes(2)
                found[glyph] = letter.decode("utf-16-be")
    return found


def _stream(body):
    return zlib.decompress(body.split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0])
