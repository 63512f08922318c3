"""What is remembered: the tables, the one place that commits, the outbox. Behind core's port; imports core only."""
