"""What requests may say, one module for each kind of resource."""
