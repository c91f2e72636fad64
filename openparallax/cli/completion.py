"""``completion``: what a shell needs to complete the commands."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    r"""Print what makes SHELL complete commands and options.

    \b
        openparallax completion bash >> ~/.bashrc
        openparallax completion zsh >> ~/.zshrc
        cd ~/.config/fish/completions
        openparallax completion fish > openparallax.fish
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"there is no completion for {shell}.")
    name = "openparallax"
    source = made(ctx.find_root().command, {}, name, "_OPENPARALLAX_COMPLETE")
    # Not source(): for bash it would run the shell to see how old it is.
    click.echo(source.source_template % source.source_vars())
