"""From the bot to a person: the queue, and the desk of the mediators."""
