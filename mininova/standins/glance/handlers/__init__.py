"""What is behind the URLs of the Image API: images, their data, their members, and what describes the API."""
