"""How a message is read, step by step: things, phrases, corrections, intent, slots. `bot.nlu` is the door."""
