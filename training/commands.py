"""What the large and the small commands model share: arguments, validation cases, packing."""

from dataclasses import dataclass
from pathlib import Path

from training import data, graph, pack, teachers
from training.encoder import Encoder
from training.teachers import Lesson

SOURCES = (
    "HWU64 (xliuhw/NLU-Evaluation-Data) and CLINC150 (clinc/oos-eval), train splits; "
    "unlabelled: SNIPS 2017-06, WNUT17, wikigold; MiniLM-L6-v2 weights"
)
LICENCES = "CC BY 4.0, CC BY 3.0, CC0 1.0, CC BY 4.0, CC BY 4.0; MiniLM Apache-2.0"

# Chosen on validation, among common words of the kind; a placeholder of its own cost 1.7 points.
STAND_INS = """[input.stand_ins]  # what it reads for placeholders that it was not trained on
PERSON = "smith"
LOCATION = "london"
ORG = "amazon"
TITLE = "doctor"
GROUP = "french"
DATE = "march 3"
TIME = "noon"
AGE = "30"
ADDRESS = "5 main street"
POSTCODE = "90210"
URL = "www.google.com"
"""


@dataclass(frozen=True, slots=True)
class Job:
    """The arguments of a command."""

    work: Lesson
    out: Path
    teachers: int
    pool: int
    steps: int


def job(description: str, *, steps: int) -> Job:
    """Parse the command line."""
    parser = data.arguments(description)
    parser.add_argument("--minilm", type=Path, help="model folder; default: the installed package")
    parser.add_argument("--teachers", type=int, default=teachers.TEACHERS)
    parser.add_argument("--pool", type=int, default=teachers.POOL, help="made sentences")
    parser.add_argument("--steps", type=int, default=steps)
    given = parser.parse_args()
    work = teachers.lesson(Path(given.data), given.out, given.minilm, select=False)
    return Job(work, given.out, given.teachers, given.pool, given.steps)


@dataclass(frozen=True, slots=True)
class Cover:
    """What a package says of itself."""

    name: str
    parent: str
    card: str  # Markdown


def packed(job: Job, encoder: Encoder, vocabulary: list[str], cover: Cover) -> None:
    """Quantize, write, measure and calibrate a package."""
    name = cover.name
    folder = job.out / name
    folder.mkdir(parents=True, exist_ok=True)
    graph.export(encoder, data.DOMAINS, folder / "model.onnx")
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    outside = {data.HOME: "", data.ASSISTANT: data.OUT_OF_SCOPE}
    heads = [
        pack.Head(d, d, job.work.labels[d], f"labels-{d}.txt", out_of_scope=outside[d])
        for d in data.DOMAINS
    ]
    apart = (folder / "model.data").exists()
    text_input = (
        'payload = "text"\ntokenizer = "wordpiece-uncased"\nvocabulary = "vocab.txt"\n'
        f"max_tokens = {teachers.LENGTH}\n{STAND_INS.rstrip()}"
    )
    plan = pack.Plan(
        name=name,
        folder=folder,
        parent=cover.parent,
        input=text_input,
        heads=heads,
        data=SOURCES,
        licence=LICENCES,
        command=f"python -m training.{name.replace('-', '_')} --data DIR --out DIR",
        card=cover.card,
        files=["vocab.txt", *(["model.data"] if apart else [])],
    )
    pack.finish(plan, {domain: data.cases(job.work.source, domain) for domain in data.DOMAINS})
