def main():
    return {"access_token": "not a real token"}
