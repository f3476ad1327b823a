"""PostgreSQL: one module of tables and queries for each aggregate. Nothing here commits."""
