"""What a sentence contains, whatever it wants: money, numbers, percents, dates, addresses. Knows no catalogue."""

from bot.entities.contacts import contacts
from bot.entities.dates import dates
from bot.entities.found import Found, Text, clean
from bot.entities.numbers import Amount, numbers
from bot.entities.when import When

__all__ = ["Amount", "Found", "Text", "When", "clean", "contacts", "dates", "numbers"]
