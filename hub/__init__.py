"""The hub's half: store, services, API. Never imports the agent."""
