"""How things look in answers, by microversion and by caller: one module for each noun, as in handlers/."""
