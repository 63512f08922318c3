"""What was sold: products, orders, the policy that routes them and the table that moves them."""
