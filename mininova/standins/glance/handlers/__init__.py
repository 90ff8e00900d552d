"""What is behind the URLs of the Image API: images, their data, who they are lent to, and what describes the API."""
