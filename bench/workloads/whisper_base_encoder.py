SIZES = {"d_model": 512, "encoder_layers": 6, "encoder_attention_heads": 8, "encoder_ffn_dim": 2048, "decoder_layers": 6,
         "decoder_attention_heads": 8, "decoder_ffn_dim": 2048, "num_labels": 512}
TITLE = "Whisper-base encoder"
OUTPUT = "logits"  # of the classification head, which is small beside the encoder
CASES = {"30 s of sound, batch 1": (1,)}
TINY = {"d_model": 64, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 128, "decoder_layers": 1,
        "decoder_attention_heads": 4, "decoder_ffn_dim": 128}


def model(**changes):
    import transformers
    return transformers.WhisperForAudioClassification(transformers.WhisperConfig(**{**SIZES, **changes}))


def inputs(batch):
    import torch
    return {"input_features": torch.randn(batch, 80, 3000)}
