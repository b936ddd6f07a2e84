"""Markdown as far as the guides use it: fenced blocks, and code inside of lines."""

import re

FENCE = re.compile(r"(?ms)^```(\w*)\n(.*?)^```\n")


class Block:
    """A fenced block: its language (empty for none), its text, and the line on which it begins."""

    def __init__(self, language, text, line):
        self.language, self.text, self.line = language, text, line

    def lines(self):
        """Its lines, those that end with a backslash together with the next."""
        return re.sub(r"\\\n\s*", "", self.text).splitlines()


def blocks(text):
    return [Block(found[1], found[2], text.count("\n", 0, found.start()) + 1) for found in FENCE.finditer(text)]


def code_in_lines(text):
    """What stands between backticks outside of blocks."""
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", FENCE.sub("", text))]


def comment(line, mark):
    """What a line says behind `mark`. None: nothing."""
    _, found, said = line.partition(f"  {mark} ")
    return said.strip() if found else None
