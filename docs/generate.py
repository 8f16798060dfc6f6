"""Write the parts of docs/ and recipes/ that derive from the code; with --check, only say what is out of date."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from vbtools.backends import of_stage
from vbtools.cli.main import exit_codes
from vbtools.config.element import Element
from vbtools.config.params import Spec, Step, bounds, specs
from vbtools.evidence import all_with_evidence
from vbtools.pipeline.recipes import recipe_schema
from vbtools.report.schema import report_schema
from vbtools.simulate.profile import PROFILES, STEP_TABLES, Profile, Scheme

ROOT = Path(__file__).parents[1]


def elements() -> str:
    """The tables of docs/format.md."""
    parts = []
    for stage in all_with_evidence():
        parts.append(f"### /{stage.name}\n\n{stage.summary}\n")
        parts.append("| dataset | dtype | shape | unit | bulk | meaning |\n| --- | --- | --- | --- | --- | --- |")
        parts += [_element_row(e) for e in stage.elements]
        for element in stage.elements:
            if element.columns:
                parts.append(f"\nColumns of `{element.name}`:\n")
                parts.append("| column | dtype | unit | meaning |\n| --- | --- | --- | --- |")
                parts += [f"| `{c.name}` | {c.dtype} | {c.unit} | {c.description} |" for c in element.columns]
        parts.append("")
    return "\n".join(parts)


def parameters() -> str:
    """The tables of docs/stages.md."""
    parts = []
    for stage in all_with_evidence():
        about = " ".join((type(stage).__doc__ or "").split())
        parts.append(f"## {stage.name}\n\n{about}\n\n    {stage.example}\n")
        parts.append("| key | value | default | meaning |\n| --- | --- | --- | --- |")
        parts += [_parameter_row(s) for s in stage.specs()]
        rows = of_stage(stage.name)
        if rows:
            parts.append("\n| backend | what | extra | in this version |\n| --- | --- | --- | --- |")
            parts += [f"| `{b.name}` | {b.summary} | {b.extra} | {'yes' if b.is_built else 'no'} |" for b in rows]
        for row in rows:
            if stage.name == "enhance" and row.is_built:
                parts.append(f"\nOptions of the step `{row.name}`:\n")
                parts.append("| key | value | default | meaning |\n| --- | --- | --- | --- |")
                parts += [_parameter_row(s) for s in specs(row.parameters())]
        parts.append("")
    return "\n".join(parts)


def codes() -> str:
    """The table of exit codes."""
    rows = [f"| {code} | {meaning} |" for code, meaning in exit_codes().items()]
    return "\n".join(["| code | meaning |", "| --- | --- |", *rows, ""])


def profiles() -> str:
    """The products that simulate knows."""
    rows = [
        f"| `{p.name}` | {p.summary} | {p.scheme.strength:g}: {p.setting} | {p.source} | {p.not_modelled} |"
        for p in PROFILES.values()
    ]
    head = ["| profile | what | strength | source | not modelled |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])


def chains() -> str:
    """How each product's mask and blur are put together."""
    rows = [f"| `{p.name}` | {_chain(p, 'mask')} | {_chain(p, 'blur')} | {_rest(p)} |" for p in PROFILES.values()]
    return "\n".join(["| profile | mask | blur | besides |", "| --- | --- | --- | --- |", *rows, ""])


def profile_keys() -> str:
    """What a profile can say."""
    parts = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    parts += [_parameter_row(s) for s in specs(Scheme)]
    for key, table in STEP_TABLES.items():
        parts.append(f"\nSteps of `{key}`:\n\n| step | what | options |\n| --- | --- | --- |")
        for name, kind in table.items():
            about = " ".join((kind.__doc__ or "").split())
            options = "; ".join(f"`{s.name}`: {s.help}, {_said(s.default)}" for s in specs(kind))
            parts.append(f"| `{name}` | {about} | {options} |")
    return "\n".join([*parts, ""])


def report() -> str:
    """What report.json holds."""
    parts = ["| key | value | meaning |", "| --- | --- | --- |"]
    for key, schema in report_schema()["properties"].items():
        kinds = schema.get("type", "string" if "const" in schema else "")
        kind = " or ".join(kinds) if isinstance(kinds, list) else kinds
        names = schema.get("items", {}).get("properties") or schema.get("properties") or {}
        keys = f": {', '.join(f'`{name}`' for name in names)}" if names else ""
        meaning = schema.get("description") or (f"`{schema['const']}`" if "const" in schema else "")
        parts.append(f"| `{key}` | {kind} | {meaning}{keys} |")
    return "\n".join([*parts, ""])


def _chain(profile: Profile, key: str) -> str:
    """Steps with the options that differ from their defaults."""
    found = []
    for step in getattr(profile.scheme, key):
        defaults = {s.name: s.default for s in specs(STEP_TABLES[key][step.name])}
        own = ", ".join(f"{k} {_said(v)}" for k, v in step.options.items() if v != defaults[k])
        found.append(step.name + (f" ({own})" if own else ""))
    return ", ".join(found)


def _rest(profile: Profile) -> str:
    """The other values that differ from the defaults."""
    chosen = {s.name: getattr(profile.scheme, s.name) for s in specs(Scheme)}
    own = {s.name: chosen[s.name] for s in specs(Scheme) if s.kind != "steps" and chosen[s.name] != s.default}
    own.pop("strength", None)
    return ", ".join(f"{key} {_said(value)}" for key, value in own.items())


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _element_row(e: Element) -> str:
    dtype = "table" if e.columns else e.dtype
    name = f"`{e.name}`" + (" (optional)" if e.optional else "")
    return f"| {name} | {dtype} | ({', '.join(e.dims)}) | {e.unit} | {'yes' if e.bulk else ''} | {e.description} |"


def _parameter_row(s: Spec) -> str:
    value = " \\| ".join(s.choices) if s.choices else s.kind
    if s.minimum is not None or s.maximum is not None:
        value += f", {bounds(s)}"
    if s.kind == "steps":
        default = "[" + ", ".join(x.name if isinstance(x, Step) else str(x) for x in s.default) + "]"
    else:
        default = "" if s.default is None else str(s.default).lower() if isinstance(s.default, bool) else str(s.default)
    return f"| `{s.name}` | {value} | {default} | {s.help}{f' [{s.unit}]' if s.unit else ''} |"


def pages() -> dict[Path, str]:
    """Every generated file with the text that it should have."""
    made = {
        "elements": elements(), "parameters": parameters(), "exit codes": codes(), "profiles": profiles(),
        "chains": chains(), "profile keys": profile_keys(), "report": report(),
    }  # fmt: skip
    found = {
        ROOT / "recipes" / "recipe.schema.json": json.dumps(recipe_schema(all_with_evidence()), indent=2) + "\n",
        ROOT / "vbtools" / "report" / "report.schema.json": json.dumps(report_schema(), indent=2) + "\n",
    }
    for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]:
        text = page.read_text(encoding="utf-8")
        for name, body in made.items():
            block = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
            text = block.sub(lambda m, body=body: f"{m[1]}\n{body}\n{m[2]}", text)
        found[page] = text
    return found


def main() -> int:
    """Write or check; the exit status of --check is 1 when something is out of date."""
    stale = [page for page, text in pages().items() if not page.exists() or page.read_text(encoding="utf-8") != text]
    if "--check" not in sys.argv:
        for page, text in pages().items():
            page.write_text(text, encoding="utf-8")
    for page in stale:
        print(("out of date: " if "--check" in sys.argv else "wrote ") + str(page.relative_to(ROOT)))
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
