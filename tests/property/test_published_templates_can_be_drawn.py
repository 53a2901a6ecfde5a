"""What master data takes as a label template, the label printer takes too."""

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.label_files.template import parse_template
from tally.master import Template, from_content, to_content

sides = st.sampled_from([5, 40, "100.50", 300, "300.01", "4.99"])
corners = st.sampled_from([0, 1, "0.00", "-0", "4.999", 299, "300.00"])
extents = st.sampled_from([1, "0.001", "12.5", 300, "300.01", 0, "-0.0"])
values = st.sampled_from(["{code}", "[00]{code}", "箱 {count}", "{", ""])


def items(kind: str, *optional: str) -> st.SearchStrategy[dict[str, object]]:
    keys = {"kind": st.just(kind), "x": corners, "y": corners, "size": extents, "value": values}
    more = {"height": extents, "gs1": st.booleans()}
    return st.fixed_dictionaries(keys, optional={name: more[name] for name in optional})


templates = st.fixed_dictionaries(
    {
        "template": st.just("t"),
        "size_mm": st.lists(sides, min_size=2, max_size=2),
        "dpi": st.sampled_from([99, 100, 300, 1200, 1201]),
        "item": st.lists(
            items("code128", "height", "gs1") | items("qr", "gs1") | items("text")
            # What does not go with the kind:
            | items("datamatrix", "height", "gs1") | items("text", "gs1"),
            min_size=1,
            max_size=2,
        ),
    }
)  # fmt: skip


@given(templates)
@settings(max_examples=500, deadline=None)
def test_a_template_that_was_taken_is_one_that_can_be_printed(table: dict[str, object]) -> None:
    found = from_content("template", table)
    if isinstance(found, Template):
        content = to_content(found)
        del content["version"]
        assert len(parse_template(content).items) == len(found.items)
