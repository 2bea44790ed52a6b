"""The cases of theupdateframework/tuf-conformance, by their names, through a real broker.

That suite comes from no package index, so its cases are written anew here: TUF's client, with our
fetcher in place of HTTP, against a repository that does what none of ours would do.
"""
