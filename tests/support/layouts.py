"""What a PC makes of a scanner's keys when the two are set to different keyboard layouts.

Written from the physical keyboards, row by row, and not from the product's tables.
"""

ROWS = {
    "us": ("1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", "zxcvbnm,./"),
    "US": ("!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"|', "ZXCVBNM<>?"),
    "french": ("&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù*", "wxcvbn,;:!"),
    "FRENCH": ("1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%µ", "WXCVBN?./§"),
    "german": ("1234567890ß´", "qwertzuiopü+", "asdfghjklöä#", "yxcvbnm,.-"),
    "GERMAN": ('!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", "YXCVBNM;:_"),
}


def typed_on(pc, text, scanner="us"):
    """The text as it arrives; a character that the scanner's layout lacks stays as it is."""
    sent = "".join(ROWS[scanner] + ROWS[scanner.upper()])
    shown = "".join(ROWS[pc] + ROWS[pc.upper()])
    return text.translate(dict(zip(map(ord, sent), shown, strict=True)))
