"""What a model package is, and how its input is prepared: both sides must agree to the bit.

    package.toml + calibration.json --manifest--> Manifest
    Text   --tokenize--> ids     |
    Record --records---> numbers | --onnx---> Found(answer, score)
    Window --windows---> numbers |
    Text   --prompts---> tokens    --llama--> Found(answer, score)

`load` finds the engine that a package needs; nobody else knows which one runs. `manifest`, `errors`
and `tokenize` import no numpy, so a process without an engine may read a package.
"""
