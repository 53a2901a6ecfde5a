"""Texts of `hub.web.pages.verifying`, for whoever holds a product."""

from typing import Final

ENGLISH: Final[dict[str, str]] = {
    "verify.title": "Product check",
    "verify.genuine": "GENUINE RECORD",
    "verify.genuine_words": "This code was made by us.",
    "verify.ask": "PLEASE ASK THE SELLER",
    "verify.ask_words": "This code was made by us, but the product must not be sold at present. "
    "Please ask the seller or the maker before you use it.",
    "verify.unknown": "NOT FOUND",
    "verify.unknown_words": "We have no product with this code. Compare it with the label, letter "
    "by letter. If it is as printed, please ask the seller.",
    "verify.product": "Product",
    "verify.serial": "Serial",
    "verify.made": "Made on",
    "verify.test": "Final test",
    "verify.passed": "passed",
    "verify.copied": "A copied label can show this page too: compare the serial on the product "
    "itself.",
    "verify.later": "PLEASE TRY AGAIN IN A MINUTE",
    "verify.later_words": "Too many codes were checked from here in a short time.",
}

CHINESE: Final[dict[str, str]] = {
    "verify.title": "产品核验",
    "verify.genuine": "记录真实",
    "verify.genuine_words": "此编码由本厂制作。",
    "verify.ask": "请咨询销售方",
    "verify.ask_words": "此编码由本厂制作,但该产品目前不得销售。使用前请咨询销售方或制造商。",
    "verify.unknown": "未找到",
    "verify.unknown_words": "没有此编码的产品。请与标签逐字核对。如与印刷一致,请咨询销售方。",
    "verify.product": "产品",
    "verify.serial": "序列号",
    "verify.made": "制造日期",
    "verify.test": "出厂测试",
    "verify.passed": "合格",
    "verify.copied": "复制的标签也会显示本页:请核对产品本体上的序列号。",
    "verify.later": "请一分钟后再试",
    "verify.later_words": "短时间内从此处核验的编码过多。",
}
