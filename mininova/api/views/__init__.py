"""How things look in answers, by microversion and by who asks."""
