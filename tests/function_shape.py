"""The shape of a function: its syntax tree without what a copy would be given anew."""

import ast

# A shorter function has few ways to be written, and is no copy when it is written alike.
_MIN_STATEMENTS = 4
_MIN_NODES = 60


def shape_of(function: ast.FunctionDef) -> str | None:
    """What is left of a function when what its author named is taken away; None if it is trivial."""
    copy = ast.parse(ast.unparse(function)).body[0]
    shape = _Normaliser().visit(copy)
    nodes = list(ast.walk(shape))
    statements = sum(isinstance(node, ast.stmt) for node in nodes) - 1
    if statements < _MIN_STATEMENTS or len(nodes) < _MIN_NODES:
        return None
    return ast.dump(shape)


class _Normaliser(ast.NodeTransformer):
    """Takes away what a copy would be given anew: names, constants, annotations, docstrings."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("_", node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return ast.Attribute(node.value, "_", node.ctx)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(None)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant(None)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        self.generic_visit(node)
        return ast.keyword("_" if node.arg else None, node.value)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg("_")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if node.value is None:
            return ast.Pass()
        return ast.Assign([node.target], node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        return ast.FunctionDef("_", node.args, _without_docstring(node.body), [], None, lineno=0)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if is_text else body
