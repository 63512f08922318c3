"""The platforms, one a file. An adapter knows its platform and `bot.messages`, nothing else."""
