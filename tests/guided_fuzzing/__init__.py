"""Coverage-guided fuzzing of the parsers: `python -m tests.guided_fuzzing`.

The fuzzer of `clients/fuzzing` draws whole requests from a grammar. This one knows no grammar: it changes the
inputs of a corpus, and keeps each change that reaches code of the servers that no input has reached. Both
readings get every input, whole and split, and must agree. The engine is libFuzzer, by the package `atheris`.

    targets     what gets the bytes of an input, and which results must be equal
    corpus      the inputs that are kept in `corpus/`, one file a target
    coverage    which lines an input reaches; it says which inputs are worth keeping
    seeds       the first inputs: parts of the recorded requests
    engine      searches a target in a process of its own, `searching`
    findings    the smallest input that shows a disagreement
"""
