"""``leakbench completion``: the script that makes a shell complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    r"""Print the script that makes SHELL complete commands, options and their values.

    \b
    bash  eval "$(leakbench completion bash)"        in ~/.bashrc
    zsh   eval "$(leakbench completion zsh)"         in ~/.zshrc
    fish  leakbench completion fish | source         in ~/.config/fish/config.fish
    """
    root = click.get_current_context().find_root().command
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"this version of click has no completion for {shell}")
    click.echo(completion(root, {}, "leakbench", "_LEAKBENCH_COMPLETE").source())
