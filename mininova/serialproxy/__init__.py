"""What runs in mininova-serialproxy: it lets users' browsers and programs reach the consoles of guests."""
