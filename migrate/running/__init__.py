"""`run` and `plan`: what one invocation that loads is asked, and how it goes."""
