"""A QR code as rows of text: two modules one above the other in each character, light ones inked.

For a screen of light letters on a dark ground: the quiet zone is inked too. Symbols are made by
zxing-cpp, loaded at the first use.
"""

from typing import Final

_INKS: Final = {(0, 0): " ", (1, 0): "\u2580", (0, 1): "\u2584", (1, 1): "\u2588"}


def qr_rows(text: str) -> tuple[str, ...]:
    """The rows of the QR code that holds `text`, its quiet zone of four modules included."""
    import numpy as np
    import zxingcpp

    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    image = np.asarray(made.to_image())  # 8-bit grey, height x width; 0 is black
    height, width = image.shape
    light = [[int(image[y, x] > 127) for x in range(width)] for y in range(height)]
    light += [[0] * width] * (height % 2)
    return tuple(
        "".join(_INKS[above, below] for above, below in zip(light[y], light[y + 1], strict=True))
        for y in range(0, height, 2)
    )
