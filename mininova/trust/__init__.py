"""Who is who among the services and computes, and what each may do."""
