"""What is behind the URLs of the Networking API: the network, security groups, and what describes the API."""
