def anything():
    return {"text": "given"}
