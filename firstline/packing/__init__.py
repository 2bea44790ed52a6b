"""Any ONNX or GGUF file to a package: look, decide, ask for the rest, describe, try."""
