"""Files that are often taken for a model of another kind, told by their first bytes."""

from typing import Final

LONGEST_MAGIC: Final = 16  # bytes that `foreign` needs
_MAGIC: Final = {
    b"GGUF": "a GGUF file, for llama.cpp",
    b"PK": "a zip archive, such as a PyTorch checkpoint",
    b"\x93NUMPY": "a numpy array",
    b"\x89HDF": "an HDF5 file, such as a Keras model",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"\x80\x04": "a Python pickle, such as a scikit-learn model; it can run any code",
    b"\x80\x05": "a Python pickle, such as a scikit-learn model; it can run any code",
    b"versio": "a Git LFS pointer; fetch the real file with `git lfs pull`",
}
_FLATBUFFERS: Final = {  # their name follows an offset of 4 bytes
    b"ORTM": "a model in ORT format; take the ONNX file that it was made of",
    b"TFL3": "a TensorFlow Lite model; tf2onnx makes an ONNX file of it",
}
_WEB: Final = (b"<!doctype", b"<html", b"<head", b"<?xml")


def foreign(start: bytes) -> str:
    """What a file with these first bytes is, if it is neither ONNX nor unknown; else nothing."""
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            return what
    if start.lstrip().lower().startswith(_WEB):
        return "a web page; the download was answered with a page instead of the file"
    if start[4:8] in _FLATBUFFERS:
        return _FLATBUFFERS[start[4:8]]
    # An 8-byte length, then JSON.
    if len(start) > 9 and start[8:9] == b"{" and start[6:8] == b"\0\0":  # noqa: PLR2004
        return "a safetensors file: weights without a graph; export the model to ONNX or GGUF"
    return ""
