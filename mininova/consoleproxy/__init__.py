"""What runs in mininova-consoleproxy: it lets users' browsers and programs reach the consoles of guests."""
