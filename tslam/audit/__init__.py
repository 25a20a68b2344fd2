"""Questions asked of the data, one file each; evidence turned into gaps. Finds, and never renders."""
