"""Completion for PowerShell, 5.1 of Windows included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.completion import CliArgument, Command

_HEAD = """\
# PowerShell completion for postrender; printed by `postrender completion powershell`.
# To use it: postrender completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName postrender -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # The words before the one to complete, without the program's name.
    $before = @($commandAst.CommandElements |
            Select-Object -Skip 1 |
            Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
            ForEach-Object { $_.Extent.Text })
    $commands = [ordered]@{
"""

_MIDDLE = """\
    }
    $command = ''
    if ($before.Count -gt 0 -and $commands.Contains($before[0])) { $command = $before[0] }
    $previous = ''
    if ($before.Count -gt 0) { $previous = $before[-1] }

    $offer = {
        param($text, $kind, $tooltip)
        if ($text -like "$wordToComplete*") {
            [System.Management.Automation.CompletionResult]::new($text, $text, $kind, $tooltip)
        }
    }
"""

_TAIL = """\
    if ($wordToComplete -like '-*') {
        foreach ($flag in $flags[$command].GetEnumerator()) { & $offer $flag.Key 'ParameterName' $flag.Value }
        return
    }
    $key = "${command}:$previous"
    if ($values.Contains($key)) {
        foreach ($value in $values[$key]) { & $offer $value 'ParameterValue' $value }
        return
    }
    if ($before.Count -eq 0) {
        foreach ($entry in $commands.GetEnumerator()) { & $offer $entry.Key 'Command' $entry.Value }
        return
    }
    # Without a result PowerShell completes the names of files.
    foreach ($value in $arguments[$command]) { & $offer $value 'ParameterValue' $value }
}
"""


def script(commands: Sequence[Command]) -> str:
    """The script to be run in a profile."""
    text = _HEAD
    text += "".join(f"        {_quoted(each.name)} = {_quoted(each.summary)}\n" for each in commands if each.name)
    text += _MIDDLE + "\n    $flags = @{\n"
    for each in commands:
        text += f"        {_quoted(each.name)} = [ordered]@{{\n"
        text += "".join(
            f"            {_quoted(spelling)} = {_quoted(flag.help)}\n"
            for flag in each.flags
            for spelling in flag.spellings
        )
        text += "        }\n"
    text += "    }\n    $values = @{\n" + "".join(_values(commands)) + "    }\n    $arguments = @{\n"
    for each in commands:
        offered = next((argument.values for argument in each.arguments if argument.values or argument.files), ())
        text += f"        {_quoted(each.name)} = {_list(offered)}\n"
    return text + "    }\n\n" + _TAIL


def _values(commands: Sequence[Command]) -> Iterator[str]:
    for command in commands:
        for flag in command.flags:
            if flag.metavar and not flag.optional and _offered(flag):
                for spelling in flag.spellings:
                    yield f"        {_quoted(f'{command.name}:{spelling}')} = {_list(flag.values)}\n"


def _offered(flag: CliArgument) -> bool:
    return bool(flag.values) or not flag.files


def _list(values: Sequence[str]) -> str:
    return f"@({', '.join(map(_quoted, values))})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
