"""The training step of bench_peers.py in JAX and TensorFlow, compiled as a whole, in float32 and bfloat16.

bench_peers.py --frameworks imports this module. jax_step and tensorflow_step return a function without arguments that
performs one training step and waits for its result. Weights and Adam's moments are float32; with bfloat16, convolutions
and activations are bfloat16, and batch norm computes its statistics in float32.
"""

SLOPE, LATENT_DIM, RATE, BETAS, EPSILON, DECAY = 0.2, 100, 2e-4, (0.5, 0.999), 1e-8, 0.99


def layer_shapes(resolution: int, width: int, channels: int):
    """(kernel shape [side, side, in, out], stride) of each convolution of the generator and of the discriminator."""
    stages = resolution.bit_length() - 3
    widths = [width << stage for stage in range(stages)]
    generator, before = [], LATENT_DIM
    for stage, after in enumerate(reversed(widths)):
        generator.append(((4, 4, before, after), 2 if stage else 1))
        before = after
    generator.append(((4, 4, before, channels), 2))
    discriminator, before = [], channels
    for after in widths:
        discriminator.append(((4, 4, before, after), 2))
        before = after
    return generator, discriminator + [((4, 4, before, 1), 1)]


def jax_step(resolution: int, width: int, channels: int, batch: int, precision: str):
    import jax
    import jax.numpy as jnp
    from jax import lax

    dtype = jnp.bfloat16 if precision == "bfloat16" else jnp.float32
    shapes = layer_shapes(resolution, width, channels)
    layout = ("NHWC", "HWIO", "NHWC")

    def initial(layers, key):
        keys = jax.random.split(key, len(layers))
        return [{"weight": 0.02 * jax.random.normal(k, shape), "gain": jnp.ones(shape[3]), "shift": jnp.zeros(shape[3])}
                for k, (shape, _) in zip(keys, layers)]

    def normalise(maps, layer):
        values = maps.astype(jnp.float32)
        mean, variance = values.mean((0, 1, 2)), values.var((0, 1, 2))
        return ((values - mean) * lax.rsqrt(variance + 1e-5) * layer["gain"] + layer["shift"]).astype(dtype)

    def activate(maps):
        return jnp.where(maps > 0, maps, SLOPE * maps)

    def generate(weights, latents):
        maps = latents.astype(dtype)
        for i, (layer, (_, stride)) in enumerate(zip(weights, shapes[0])):
            padding = "VALID" if stride == 1 else "SAME"
            maps = lax.conv_transpose(maps, layer["weight"].astype(dtype), (stride, stride), padding, dimension_numbers=layout)
            maps = activate(normalise(maps, layer)) if i + 1 < len(weights) else jnp.tanh(maps)
        return maps

    def discriminate(weights, maps):
        maps = maps.astype(dtype)
        for i, (layer, (_, stride)) in enumerate(zip(weights, shapes[1])):
            padding = "VALID" if stride == 1 else ((1, 1), (1, 1))
            maps = lax.conv_general_dilated(maps, layer["weight"].astype(dtype), (stride, stride), padding,
                                            dimension_numbers=layout)
            if i + 1 < len(weights):
                maps = activate(normalise(maps, layer) if i else maps)
        return maps.reshape(-1).astype(jnp.float32)

    def adam(state, gradients, count):
        def update(weight, first, second, gradient):
            first = BETAS[0] * first + (1 - BETAS[0]) * gradient
            second = BETAS[1] * second + (1 - BETAS[1]) * gradient ** 2
            size = RATE / (1 - BETAS[0] ** count)
            return weight - size * first / (jnp.sqrt(second / (1 - BETAS[1] ** count)) + EPSILON), first, second

        leaves, tree = jax.tree.flatten(state[0])
        new = [update(*values) for values in zip(leaves, *map(jax.tree.leaves, (*state[1:], gradients)))]
        return tuple(jax.tree.unflatten(tree, [values[i] for values in new]) for i in range(3))

    def one_step(g, d, average, count, key, real):
        latents = jax.random.normal(key, (batch, 1, 1, LATENT_DIM))
        fake, backward = jax.vjp(lambda weights: generate(weights, latents), g[0])

        def discriminator_loss(weights):
            fake_logits = discriminate(weights, lax.stop_gradient(fake))
            return jax.nn.softplus(-discriminate(weights, real)).mean() + jax.nn.softplus(fake_logits).mean()

        d = adam(d, jax.grad(discriminator_loss)(d[0]), count)

        loss, gradient = jax.value_and_grad(lambda images: jax.nn.softplus(-discriminate(d[0], images)).mean())(fake)
        g = adam(g, backward(gradient)[0], count)
        average = jax.tree.map(lambda a, w: DECAY * a + (1 - DECAY) * w, average, g[0])
        return g, d, average, loss

    compiled = jax.jit(one_step, donate_argnums=(0, 1, 2))
    keys = jax.random.split(jax.random.key(0), 2)

    def with_moments(weights):
        return weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2))

    state = [with_moments(initial(shapes[0], keys[0])), with_moments(initial(shapes[1], keys[1]))]
    state.append(jax.tree.map(lambda weight: weight + 0, state[0][0]))
    real = jax.random.uniform(keys[0], (batch, resolution, resolution, channels), minval=-1.0)
    counts = [0]

    def step():
        counts[0] += 1
        *state[:], loss = compiled(*state, counts[0], jax.random.key(counts[0]), real)
        return float(loss)

    return step


def tensorflow_step(resolution: int, width: int, channels: int, batch: int, precision: str, threads: int):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    layers, shapes = tf.keras.layers, layer_shapes(resolution, width, channels)

    def generator():
        model = tf.keras.Sequential([tf.keras.Input((1, 1, LATENT_DIM))])
        for (_, _, _, after), stride in shapes[0][:-1]:
            model.add(layers.Conv2DTranspose(after, 4, stride, "valid" if stride == 1 else "same", use_bias=False))
            model.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
            model.add(layers.LeakyReLU(negative_slope=SLOPE))
        model.add(layers.Conv2DTranspose(channels, 4, 2, "same", use_bias=False, activation="tanh"))
        return model

    def discriminator():
        model = tf.keras.Sequential([tf.keras.Input((resolution, resolution, channels))])
        for i, ((_, _, _, after), stride) in enumerate(shapes[1][:-1]):
            model.add(layers.Conv2D(after, 4, stride, "same", use_bias=False))
            if i:
                model.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
            model.add(layers.LeakyReLU(negative_slope=SLOPE))
        model.add(layers.Conv2D(1, 4, use_bias=False))
        model.add(layers.Activation("linear", dtype="float32"))
        return model

    g, d = generator(), discriminator()
    optimizers = [tf.keras.optimizers.Adam(RATE, *BETAS, epsilon=EPSILON) for _ in range(2)]
    for optimizer, network in zip(optimizers, (g, d)):
        optimizer.build(network.trainable_variables)
    average = [tf.Variable(weight, trainable=False) for weight in g.trainable_variables]
    real = tf.random.uniform((batch, resolution, resolution, channels), -1, 1)

    @tf.function
    def one_step():
        with tf.GradientTape() as generator_tape:
            fake = g(tf.random.normal((batch, 1, 1, LATENT_DIM)), training=True)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.nn.softplus(-d(real, training=True)))
                loss += tf.reduce_mean(tf.nn.softplus(d(tf.stop_gradient(fake), training=True)))
            optimizers[1].apply_gradients(zip(tape.gradient(loss, d.trainable_variables), d.trainable_variables))
            generator_loss = tf.reduce_mean(tf.nn.softplus(-d(fake, training=True)))
        gradients = generator_tape.gradient(generator_loss, g.trainable_variables)
        optimizers[0].apply_gradients(zip(gradients, g.trainable_variables))
        for mean, weight in zip(average, g.trainable_variables):
            mean.assign(DECAY * mean + (1 - DECAY) * weight)
        return generator_loss

    return lambda: float(one_step())
