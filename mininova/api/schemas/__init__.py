"""What requests may say: one module for each noun, as in handlers/."""
