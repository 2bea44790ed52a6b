"""What a model package is, and how its input is prepared: both sides must agree to the bit.

    package.toml + calibration.json --manifest--> Manifest
    Text   --tokenize--> ids     |
    Record --records---> numbers | --onnx--> Classification(label, score)
    Window --windows---> numbers |

`manifest`, `errors` and `tokenize` import no numpy, so the resident process may read a package.
"""
