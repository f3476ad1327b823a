"""The page shell, staff sign-in, request protection and live updates."""
