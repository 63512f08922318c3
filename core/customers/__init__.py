"""Who we sell to: customers, contacts, leads, needs, opportunities, and what happened with them."""
