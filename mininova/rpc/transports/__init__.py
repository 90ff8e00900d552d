"""What carries messages: AMQP, plain kombu, and memory for tests; base.py says what every transport does."""
