"""The words of the product: messages, help, documentation."""
