"""Loads twins of the program's modules, which count their work. The originals are not changed.

`load_counting("tray_app.paths")` imports `counting.tray_app.paths`, a twin made from the same source: it behaves the
same, and reports each statement and operation to the meter. A twin imports twins, at its top and within its functions.
The libraries in pure Python that read what strangers wrote have twins, too.
"""

from __future__ import annotations

import ast
import copy
import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from tests.growth.meter import METER, TWINS

_HAVE_TWINS = ("tray_app", "json_repair", "imagesize")
_METER = "_meter_of_growth"
"""The name under which a twin knows the meter."""
_LOOK_AT_THEIR_CALLER = frozenset({"super", "locals", "globals", "vars", "dir", "eval", "exec"})
"""Functions that look at their caller. Called through the meter, they would see the meter."""


def load_counting(name: str) -> ModuleType:
    """Returns the twin of the module `name`."""
    return importlib.import_module(TWINS + name)


def compile_counting(source: str) -> ModuleType:
    """Returns a module that counts its work, made from source text."""
    module = ModuleType(f"{TWINS}compiled")
    _execute(source, "<compiled>", module)
    return module


def _execute(source: str, path: str, module: ModuleType) -> None:
    name = module.__name__.removeprefix(TWINS)
    tree = ast.fix_missing_locations(_Rewriter(name).visit(ast.parse(source)))
    module.__dict__[_METER] = METER
    with METER.paused():  # a module is imported once, whatever it works on later
        exec(compile(tree, path, "exec"), module.__dict__)


class _Twins(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the modules below `counting`, and no others."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        if f"{fullname}." == TWINS:
            return ModuleSpec(fullname, None, is_package=True)
        if not fullname.startswith(TWINS):
            return None
        original = importlib.util.find_spec(fullname.removeprefix(TWINS))
        if original is None or original.origin is None:
            return None
        folders = original.submodule_search_locations
        return importlib.util.spec_from_file_location(
            fullname, original.origin, loader=self, submodule_search_locations=folders
        )

    def exec_module(self, module: ModuleType) -> None:
        assert module.__file__ is not None
        _execute(Path(module.__file__).read_text(encoding="utf-8"), module.__file__, module)


sys.meta_path.insert(0, _Twins())  # before the finder that would take the originals from their folders


def _report(method: str, *arguments: ast.expr) -> ast.Call:
    """Returns the syntax of a call of a method of the meter."""
    return ast.Call(ast.Attribute(ast.Name(_METER, ast.Load()), method, ast.Load()), list(arguments), [])


class _Rewriter(ast.NodeTransformer):
    """Points imports at twins, and makes functions report each block of statements and each operation to the meter."""

    def __init__(self, module_name: str) -> None:
        self._place = [module_name]
        """The place in the source: the module, then classes and functions."""
        self._is_in_function = False

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.expr) and not self._is_in_function:
            return node
        return super().visit(node)

    def generic_visit(self, node: ast.AST) -> Any:
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
            elif isinstance(value, list):
                setattr(node, name, self._visit_list(value))
        return node

    def _visit_list(self, nodes: list[Any]) -> list[Any]:
        rewritten: list[Any] = []
        for node in nodes:
            done = self.visit(node) if isinstance(node, ast.AST) else node
            rewritten += done if isinstance(done, list) else [done]
        if self._is_in_function and nodes and isinstance(nodes[0], ast.stmt):
            rewritten.insert(0, ast.Expr(_report("step", ast.Constant(len(nodes)))))
        return rewritten

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        was_in_function, self._is_in_function = self._is_in_function, False
        self._place.append(node.name)
        self.generic_visit(node)
        self._place.pop()
        self._is_in_function = was_in_function
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Any:
        was_in_function, self._is_in_function = self._is_in_function, True
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        self._place.append(node.name)
        begin = ast.Expr(_report("begin", ast.Constant(".".join(self._place[:2]))))
        node.body = [*node.body[: len(node.body) - len(body)], begin, *self._visit_list(body)]
        self._place.pop()
        self._is_in_function = was_in_function
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self.visit_FunctionDef(node)

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in node.names:
            if alias.name in _HAVE_TWINS:
                alias.name, alias.asname = TWINS + alias.name, alias.asname or alias.name
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if not node.level and node.module and node.module.partition(".")[0] in _HAVE_TWINS:
            node.module = TWINS + node.module
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _LOOK_AT_THEIR_CALLER:
            return node
        return ast.Call(_report("call").func, [node.func, *node.args], node.keywords)

    def visit_BinOp(self, node: ast.BinOp) -> ast.Call:
        return self._made(self.generic_visit(node))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Call:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):  # its format is a JoinedStr that must stay one
                part.value = self.visit(part.value)
        return self._made(node)

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        self.generic_visit(node)
        return self._made(node) if None in node.keys else node

    def visit_List(self, node: ast.List | ast.Tuple | ast.Set) -> ast.expr:
        self.generic_visit(node)
        is_new = not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
        return self._made(node) if is_new and any(isinstance(item, ast.Starred) for item in node.elts) else node

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        return self.visit_List(node)

    def visit_Set(self, node: ast.Set) -> ast.expr:
        return self.visit_List(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            return self._made(node) if isinstance(node.slice, ast.Slice) else node
        if isinstance(node.slice, ast.Slice) or isinstance(node.ctx, ast.Del):
            node.value = _report("moved", node.value)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        methods = {ast.In: "contains", ast.NotIn: "lacks", ast.Eq: "equals", ast.NotEq: "differs"}
        method = methods.get(type(node.ops[0])) if len(node.ops) == 1 else None
        return _report(method, node.left, node.comparators[0]) if method else node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        self.generic_visit(node)
        if self._is_in_function and any(
            isinstance(part, ast.Starred) for target in node.targets for part in ast.walk(target)
        ):
            node.value = _report("made", node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        if not self._is_in_function:
            return node
        result = copy.deepcopy(node.target)
        self.generic_visit(node)
        node.value = _report("operand", node.value)
        if any(isinstance(part, ast.Call) for part in ast.walk(result)):  # to read it again might change something
            return [node]
        for part in ast.walk(result):
            if isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
                part.ctx = ast.Load()
        return [node, ast.Expr(_report("grown", cast("ast.expr", result)))]

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.YieldFrom:
        self.generic_visit(node)
        node.value = _report("each", node.value)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        if not node.is_async:
            node.iter = _report("each", node.iter)
        return node

    def _made(self, node: ast.expr) -> ast.Call:
        return _report("made", node)
