"""Presidio as a program that finds: the form of firstline.bench.masking_child.

Patterns only: what is installed without a language model. A blank spaCy pipeline cuts texts into
words and gives them in lower case as their lemmas: without any, Presidio's words of context would
never match.
"""

import json
import os
import sys
import time

_LEAST_SCORE = 0.4  # as in its authors' own evaluation; by itself it takes everything
_PASSES = 3  # the first one warms up
_WARM_UP = "Call John on 555-0100 or mail a@b.com."

Found = list[tuple[int, int, str, str]]  # start, end, label, rule


class Presidio:
    """Its analyzer with every recognizer that it loads by itself, but that of the missing model."""

    def __init__(self) -> None:
        import spacy  # noqa: PLC0415 - here, so that its time counts
        import tldextract  # noqa: PLC0415
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: PLC0415
        from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: PLC0415

        tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # asks no server
        blank = spacy.blank("en")
        spacy.Language.component("lower_case", func=_with_lemmas)
        blank.add_pipe("lower_case")
        engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
        engine.nlp = {"en": blank}
        registry = RecognizerRegistry()
        registry.load_predefined_recognizers(languages=["en"])
        registry.remove_recognizer("SpacyRecognizer")
        self._analyzer = AnalyzerEngine(
            registry=registry, nlp_engine=engine, supported_languages=["en"]
        )

    def find(self, text: str) -> Found:
        """Find, and drop what lies within something longer, as its anonymizer does."""
        kept: Found = []
        results = self._analyzer.analyze(text=text, language="en", score_threshold=_LEAST_SCORE)
        for one in sorted(results, key=lambda result: (result.start - result.end, -result.score)):
            if not any(start <= one.start and one.end <= end for start, end, *_ in kept):
                kept.append((one.start, one.end, one.entity_type, "presidio"))
        return kept


def _with_lemmas(doc):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - spaCy ships no types here
    for token in doc:
        token.lemma_ = token.lower_
    return doc


def main() -> None:
    """Find, measure, tell."""
    texts = json.load(sys.stdin)
    started_s = time.perf_counter()
    presidio = Presidio()
    presidio.find(_WARM_UP)
    init_s = time.perf_counter() - started_s
    spans = [presidio.find(text) for text in texts]
    ms = [float("inf")] * len(texts)
    for _ in range(_PASSES - 1):
        for place, text in enumerate(texts):
            started_s = time.perf_counter()
            presidio.find(text)
            ms[place] = min(ms[place], (time.perf_counter() - started_s) * 1e3)
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - as the other program
        rss_mb = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    json.dump({"init_s": init_s, "rss_mb": rss_mb, "ms": ms, "spans": spans}, sys.stdout)


if __name__ == "__main__":
    main()
