"""stub"""
MODES = ("keep", "placeholder", "pseudonym")
def replace_personal_data(text, mode): return text, {}
