"""One head of each kind, for the tests."""

from broker.package.heads import LabelHead, NumberHead, TextHead

LABEL = LabelHead(
    domain="d", labels=("on", "off"), out_of_scope=None, curve=None, output="", scores="logits"
)
NUMBER = NumberHead(
    domain="d",
    labels=(),
    out_of_scope=None,
    curve=None,
    output="",
    deviation="",
    unit="K",
    tolerance=0.5,
)
TEXT = TextHead(
    domain="d",
    labels=(),
    out_of_scope=None,
    curve=None,
    prompt="{text}",
    chat=False,
    system="",
    max_tokens=8,
    stop=(),
    grammar=None,
    schema=None,
    adapter=None,
    score="lowest",
)
